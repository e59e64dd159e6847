import { act, StrictMode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Session } from '../features/accounts/Session';
import { answerWith, json, problem, type Asked } from '../testing/answers';
import { aPost, lin, nora } from '../testing/aPost';
import { LiveServer } from '../testing/LiveServer';
import { App } from './App';
import { Router } from './Router';
import { Theme } from './Theme';
import { Toasts } from './Toasts';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

let root: Root;
let host: HTMLElement;
let asked: Asked[];
let session: Session;
let router: Router;
let answerPost: () => void;

beforeEach(() => {
  history.replaceState(null, '', '/feed');
  vi.stubGlobal('WebSocket', LiveServer);
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true;
  };
  window.scrollTo = () => {};
  host = document.body.appendChild(document.createElement('div'));
  root = createRoot(host);
});

afterEach(async () => {
  await act(() => {
    root.unmount();
    session.enter(null);
  });
  router.close();
  host.remove();
  vi.unstubAllGlobals();
});

async function open(user: typeof nora | null): Promise<void> {
  asked = answerWith(({ method, path }) => {
    if (path === '/api/auth/me') return user === null ? problem(401, 'not_signed_in') : json({ user });
    if (path === '/api/auth/token') return json({ token: 't' });
    if (path.startsWith('/api/creators')) return json({ creators: [] });
    if (path === '/api/posts' && method === 'POST') {
      const post = aPost({ id: 'own', text: 'Mine', creator: nora, createdAt: new Date().toISOString() });
      return new Promise((resolve) => {
        answerPost = () => resolve(json({ success: true, post }, 201));
      });
    }
    if (path.startsWith('/api/posts')) return json({ posts: [aPost()], nextCursor: null, positions: { 'feed:u1': 'pos-7' } });
    return problem(404, 'not_found');
  });
  const toasts = new Toasts();
  session = new Session(toasts);
  router = new Router();
  const parts = { router, theme: new Theme(), toasts, session };
  await act(async () => {
    void session.load();
    root.render(
      <StrictMode>
        <App parts={parts} />
      </StrictMode>,
    );
    await settled();
  });
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 60));
const reads = () => asked.filter(({ method, path }) => method === 'GET' && path.startsWith('/api/posts'));
const byTestId = (id: string) => host.querySelector<HTMLElement>(`[data-testid="${id}"]`);

async function type(id: string, text: string): Promise<void> {
  const field = byTestId(id) as HTMLTextAreaElement;
  await act(() => {
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')?.set?.call(field, text);
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

describe('the feed page', () => {
  it('reads posts exactly once, and listens since that page’s position', async () => {
    await open(nora);
    expect(reads()).toHaveLength(1);
    expect(byTestId('post-p1')?.dataset['postId']).toBe('p1');
    expect(LiveServer.last?.channels.get('feed:u1')).toBe('pos-7');
    expect(byTestId('connection-status')?.dataset['status']).toBe('connected');
  });

  it('shows an own post at once, says that it was published, and reads nothing after it', async () => {
    await open(nora);
    await act(() => byTestId('create-post-button')?.click());
    await type('post-content', 'Mine');
    await act(() => byTestId('submit-post')?.closest('form')?.requestSubmit());
    expect(host.querySelector('[data-state="sending"]')?.textContent).toContain('Mine');

    await act(async () => {
      answerPost();
      await settled();
    });
    expect(host.querySelector('[data-state="sending"]')).toBeNull();
    const post = aPost({ id: 'own', text: 'Mine', creator: nora, createdAt: new Date().toISOString() });
    await act(async () => {
      LiveServer.last?.push({ type: 'post_created', channel: 'feed:u1', position: 'pos-8', id: 'e1', timestamp: '', post, userId: 'u1' });
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    expect(host.querySelectorAll('[data-testid="post-own"]')).toHaveLength(1);
    expect(host.textContent).toContain('Post published successfully!');
    expect(asked.filter(({ method, path }) => method === 'POST' && path === '/api/posts')).toHaveLength(1);
    expect(reads()).toHaveLength(1);
  });

  it('collects the posts of others behind the button while the reader is busy', async () => {
    await open(nora);
    await act(() => void window.dispatchEvent(new Event('pointermove')));
    await act(async () => {
      LiveServer.last?.push({ type: 'post_created', channel: 'feed:u1', position: 'pos-8', id: 'e1', timestamp: '', post: aPost({ id: 'p2', creator: lin }), userId: 'u2' });
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    expect(byTestId('post-p2')).toBeNull();
    expect(byTestId('new-posts-button')?.textContent).toContain('1 new post');
    await act(() => byTestId('new-posts-button')?.click());
    expect(byTestId('post-p2')).not.toBeNull();
    expect(byTestId('new-posts-button')).toBeNull();
    expect(reads()).toHaveLength(1);
  });

  it('takes an event that a host page feeds by hand', async () => {
    await open(nora);
    await act(async () => {
      window.dispatchEvent(new CustomEvent('websocket-event', { detail: { type: 'post_created', post: aPost({ id: 'p3', creator: nora }), userId: 'u1' } }));
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    expect(byTestId('post-p3')).not.toBeNull();
  });

  it('shows everyone’s posts to who is not signed in, with no connection', async () => {
    LiveServer.last = null;
    await open(null);
    expect(reads().map(({ path }) => path)).toEqual(['/api/posts?limit=20&scope=all']);
    expect(byTestId('post-p1')).not.toBeNull();
    expect(byTestId('create-post-button')).toBeNull();
    expect(byTestId('connection-status')?.dataset['status']).toBe('idle');
    expect(LiveServer.last).toBeNull();
  });
});
