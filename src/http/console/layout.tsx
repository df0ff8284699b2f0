import type { PropsWithChildren } from 'hono/jsx';
import { named } from '../../upstream';
import { addressOf } from './assets';

interface Frame {
  title: string;
  /** Undefined when nobody is logged in. */
  who?: string;
  /** Whose onboards these are: LeadConduit's address, or `emulator`; undefined when not known. */
  leadconduit: string | undefined;
}

/** `morphIgnore` keeps attributes that only the browser sets, such as `open` when the user opens a form. */
const HTMX = JSON.stringify({
  morphIgnore: ['data-htmx-powered', 'open'],
  extensions: 'sse',
  noSwap: ['204', '304', '4xx', '5xx'],
});

export const Layout = ({ title, who, leadconduit, children }: PropsWithChildren<Frame>) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="htmx-config" content={HTMX} />
      <title>{`${title} · onboards`}</title>
      <link rel="icon" href={addressOf('icon.svg')} />
      <link rel="stylesheet" href={addressOf('console.css')} />
      <script src={addressOf('live.js')} defer />
      <script src={addressOf('htmx.js')} defer />
    </head>
    <body>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header>
        <a class="home" href="/">
          Onboards
        </a>
        <p class="leadconduit">LeadConduit: {named(leadconduit)}</p>
        <p id="connection" role="status" />
        {who !== undefined && (
          <form method="post" action="/logout">
            <span class="who">{who}</span> <button class="quiet">Log out</button>
          </form>
        )}
      </header>
      <main id="main">{children}</main>
    </body>
  </html>
);

/** A part of the page that the server sends again when it changes; `live.js` says when to connect. */
export const LiveRegion = ({ from, children }: PropsWithChildren<{ from: string }>) => (
  <div id="live" hx-sse:connect={from} hx-trigger="follow" hx-sync="drop" hx-swap="innerMorph">
    {children}
  </div>
);

export const Alert = ({ children }: PropsWithChildren) => (
  <p class="alert" role="alert">
    {children}
  </p>
);

export const Said = ({ children }: PropsWithChildren) => (
  <p class="said" role="status">
    {children}
  </p>
);
