import { useState } from 'react';
import { Link } from '../../app/Link';
import { useVisit } from '../../app/VisitContext';
import { PersonRow } from './PersonRow';
import { useCreators } from './useCreators';
import { useWide } from './useWide';
import './follows.css';

/** Beside the feed where there is room: whom one could follow. */
export function PeopleRail() {
  return useWide() ? <Suggestions /> : null;
}

function Suggestions() {
  const { user, follows } = useVisit();
  const { creators } = useCreators('');
  // Chosen once, when they arrive: a row must not vanish under the pointer that has just pressed Follow.
  const [chosen, setChosen] = useState<readonly string[] | null>(null);
  if (creators !== null && chosen === null) {
    const others = creators.filter((creator) => creator.id !== user?.id);
    const fresh = others.filter((creator) => !follows.of(creator.id).get());
    setChosen((fresh.length > 0 ? fresh : others).slice(0, 5).map((creator) => creator.id));
  }
  const shown = (creators ?? []).filter((creator) => chosen?.includes(creator.id));
  if (shown.length === 0) return null;
  return (
    <section className="card rail-card" aria-labelledby="rail-title">
      <h2 id="rail-title">People to follow</h2>
      <ul className="people">
        {shown.map((creator) => (
          <PersonRow key={creator.id} creator={creator} compact />
        ))}
      </ul>
      <Link to="/people" className="rail-more">
        Find more people
      </Link>
    </section>
  );
}
