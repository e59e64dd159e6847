import { useState } from 'react';
import { SearchIcon } from '../../app/icons';
import { PageHeader } from '../../app/PageHeader';
import { useTitle } from '../../app/useTitle';
import { countOf } from '../../app/words';
import { PersonRow } from './PersonRow';
import { useCreators } from './useCreators';
import './follows.css';

export function PeoplePage() {
  const [query, setQuery] = useState('');
  const { creators, error } = useCreators(query);
  useTitle('People · Tidings');
  return (
    <>
      <PageHeader title="People" />
      <search className="people-search">
        <SearchIcon />
        <input
          type="search"
          placeholder="Search by name"
          aria-label="Search people by name"
          data-testid="people-search"
          autoComplete="off"
          spellCheck={false}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
      </search>
      <p className="visually-hidden" role="status">
        {creators === null ? '' : `${countOf(creators.length, 'result')}`}
      </p>
      {error !== null && (
        <p className="form-error" role="alert">
          {error}
        </p>
      )}
      {creators !== null && creators.length > 0 && (
        <ul className="people card">
          {creators.map((creator) => (
            <PersonRow key={creator.id} creator={creator} />
          ))}
        </ul>
      )}
      {creators !== null && creators.length === 0 && (
        <div className="empty">
          <h2>Nobody found</h2>
          <p>{query.trim() === '' ? 'Nobody else is here yet.' : `No name matches “${query.trim()}”.`}</p>
        </div>
      )}
    </>
  );
}
