import type { Upstream } from './emulator-control';

interface BreakItProps {
  upstream: Upstream;
  /** The call that the onboard makes next. */
  next: 'POST' | 'PUT';
  /** The onboard that the fault is for; without it, the next one that is started. */
  invitation?: string;
}

/** Shown only when the emulator stands in for LeadConduit. */
export const BreakIt = ({ upstream, next, invitation }: BreakItProps) => (
  <section class="break" aria-labelledby="break-title">
    <h2 id="break-title">Try to break it</h2>
    <p>
      The emulator stands in for LeadConduit here. Make it misbehave, then act, and watch what happens. It can hide all
      onboards that it created from its list, or none of them.
    </p>
    <form method="post" action="/console/emulator" class="buttons">
      {invitation && <input type="hidden" name="invitation" value={invitation} />}
      <input type="hidden" name="next" value={next} />
      <button name="do" value="lose">
        Lose the next answer
      </button>
      <button name="do" value="down">
        Go down for 30 s
      </button>
      {upstream.isHiding ? (
        <button name="do" value="show">
          Show the created onboards in the list again
        </button>
      ) : (
        <button name="do" value="hide">
          Hide the created onboards from the list
        </button>
      )}
    </form>
  </section>
);

export const Effects = ({ upstream }: { upstream: Upstream | undefined }) => {
  if (!upstream) return <p class="alert">The emulator does not answer: it is down.</p>;
  const { posts, creates, puts, completes, emails } = upstream.effects;
  const rows = [
    ['POST calls that named it', posts],
    ['onboards that were made', creates],
    ['PUT calls that named it', puts],
    ['completions', completes],
    ['e-mails', emails],
  ] as const;
  return (
    <table>
      <caption>What the emulator counted</caption>
      <tbody>
        {rows.map(([what, count]) => (
          <tr>
            <th scope="row">{what}</th>
            <td>{count}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
};
