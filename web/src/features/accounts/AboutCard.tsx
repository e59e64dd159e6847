import './accounts.css';
import { BoltIcon, HomeIcon, LockIcon } from '../../app/icons';

/** Beside the feed of who is not signed in: what this is, in three lines. */
export function AboutCard() {
  return (
    <section className="card about-card" aria-labelledby="about-title">
      <h2 id="about-title">What is Tidings?</h2>
      <ul>
        <li>
          <BoltIcon />
          <span>
            <strong>Live.</strong> A post is on every follower’s screen before its author has looked up.
          </span>
        </li>
        <li>
          <LockIcon />
          <span>
            <strong>Careful.</strong> Nobody is sent what they may not read.
          </span>
        </li>
        <li>
          <HomeIcon />
          <span>
            <strong>Your own.</strong> One program on a machine of yours, open source.
          </span>
        </li>
      </ul>
    </section>
  );
}
