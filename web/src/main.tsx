// The sheets that others build upon come first.
import '@fontsource-variable/inter/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/overlays.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { Router } from './app/Router';
import { Theme } from './app/Theme';
import { Toasts } from './app/Toasts';
import { Session } from './features/accounts/Session';

// Made once, outside React: what they begin (a request, a connection) is begun once, whatever React renders twice.
const toasts = new Toasts();
const session = new Session(toasts);
const parts = { router: new Router(), theme: new Theme(), toasts, session };
void session.load();

window.addEventListener('beforeunload', (event) => {
  const state = session.state.get();
  if (state.phase === 'ready' && !state.visit.outbox.isEmpty) event.preventDefault();
});

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root.');
createRoot(root).render(
  <StrictMode>
    <App parts={parts} />
  </StrictMode>,
);
