// Runs before the first paint. `light` or `dark` is a choice made on the page; without one the system decides.
(function () {
  try {
    var theme = localStorage.getItem('tidings.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch (e) {
    // Storage is refused: the system decides.
  }
})();
