import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it } from 'vitest';
import { safeLink, safeMediaUrl } from '../../app/safeUrl';
import { PostText } from './PostText';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

async function drawn(text: string): Promise<HTMLElement> {
  const host = document.createElement('div');
  await act(() => createRoot(host).render(<PostText text={text} />));
  return host;
}

describe('PostText', () => {
  it.each(['<img src=x onerror=alert(1)>', '<script>alert(1)</script>', 'javascript:alert(1)', 'data:text/html,<b>x</b>', '[x](javascript:alert(1))', '"><svg onload=alert(1)>'])(
    'makes nothing but text of %s',
    async (text) => {
      const host = await drawn(text);
      expect(host.children).toHaveLength(0);
      expect(host.textContent).toBe(text);
    },
  );

  it('links addresses without the full stop behind them, and tells them nothing about us', async () => {
    const link = (await drawn('See https://example.org/a?b=1. Or not.')).querySelector('a');
    expect(link?.getAttribute('href')).toBe('https://example.org/a?b=1');
    expect(link?.getAttribute('rel')).toBe('noopener noreferrer nofollow');
  });

  it('keeps all words, whatever is linked between them', async () => {
    const text = 'a http://x.example/ b (https://y.example/path) c';
    expect((await drawn(text)).textContent).toBe('a x.example b (y.example/path) c');
  });
});

describe('addresses', () => {
  it('opens only http and https', () => {
    expect(safeLink('https://example.org')).toBe('https://example.org/');
    for (const bad of ['javascript:alert(1)', 'data:text/html,x', 'vbscript:x', '//x', 'x']) expect(safeLink(bad)).toBeNull();
  });

  it('shows media of ours and over https only', () => {
    expect(safeMediaUrl('/api/media/1')).toBe(`${location.origin}/api/media/1`);
    expect(safeMediaUrl('https://example.org/a.png')).toBe('https://example.org/a.png');
    for (const bad of ['javascript:alert(1)', 'http://example.org/a.png', 'data:text/html,x', '', null]) expect(safeMediaUrl(bad)).toBeNull();
  });
});
