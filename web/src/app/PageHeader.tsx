import type { ReactNode } from 'react';
import { ConnectionStatus } from '../features/connection/ConnectionStatus';

/** The sticky top of every page: its title or its tabs, and how the connection is. */
export function PageHeader({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <header className="page-header">
      <h1 className={children === undefined ? 'page-title' : 'visually-hidden'}>{title}</h1>
      {children}
      <ConnectionStatus />
    </header>
  );
}
