import { Observable } from '../../app/Observable';
import type { PostDraft } from '../../api/posts';
import type { Post } from '@tidings/client';

export type Composition =
  | { kind: 'new'; draft: PostDraft }
  /** A post that could not be sent, taken back for changes. */
  | { kind: 'again'; clientId: string; draft: PostDraft }
  | { kind: 'edit'; post: Post; draft: PostDraft };

const empty: PostDraft = { title: '', content: '' };

/** What is being written, if anything. Closing the window keeps what was typed for the next time. */
export class Composing {
  readonly current = new Observable<Composition | null>(null);
  #kept = empty;

  begin(): void {
    if (this.current.get() === null) this.current.set({ kind: 'new', draft: this.#kept });
  }

  beginAgain(clientId: string, draft: PostDraft): void {
    this.current.set({ kind: 'again', clientId, draft });
  }

  beginEdit(post: Post): void {
    this.current.set({ kind: 'edit', post, draft: { title: post.content.title, content: post.content.text ?? '' } });
  }

  keep(draft: PostDraft): void {
    if (this.current.get()?.kind === 'new') this.#kept = draft;
  }

  /** Done or dismissed; what was kept goes only when it was sent. */
  end(sent: boolean): void {
    if (sent && this.current.get()?.kind === 'new') this.#kept = empty;
    this.current.set(null);
  }
}
