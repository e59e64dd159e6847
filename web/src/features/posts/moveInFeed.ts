/** Moves the focus by one article and keeps it clear of the sticky top; false if there is none to go to. */
export function moveInFeed(feed: HTMLElement, step: 1 | -1): boolean {
  const articles = [...feed.querySelectorAll<HTMLElement>('article')];
  const focused = articles.findIndex((article) => article.contains(document.activeElement));
  const at = focused >= 0 ? focused + step : firstBelowTop(articles, step);
  const target = articles[at];
  if (target === undefined) return false;
  focusArticle(target);
  return true;
}

export function focusArticle(article: HTMLElement): void {
  article.focus({ preventScroll: true });
  const smooth = !window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  article.scrollIntoView({ block: 'nearest', behavior: smooth ? 'smooth' : 'instant' });
}

/** Without focus one begins with what is on screen, not with the first post of all. */
function firstBelowTop(articles: HTMLElement[], step: 1 | -1): number {
  const below = articles.findIndex((article) => article.getBoundingClientRect().bottom > 80);
  return step === 1 ? below : below - 1;
}
