// Tells htmx when to connect, and the user when the page is not live. After the first connection, htmx reconnects by itself.
const SILENCE_MS = 15_000;
const RETRY_MS = 5_000;
const live = document.getElementById('live');
const note = document.getElementById('connection');
let heardAt = new Date();
let timer;
let isEnded = false;

function tell(text, className) {
  clearTimeout(timer);
  if (note.textContent !== text) note.textContent = text;
  note.className = className;
}

function lost(why = 'The connection is lost') {
  if (isEnded) return;
  const since = heardAt.toISOString().slice(11, 19);
  tell(`${why}. What you see is from ${since} (UTC); trying again …`, 'lost');
}

function refused({ detail }) {
  const status = detail.ctx?.response?.status ?? detail.status;
  isEnded = status === 401;
  if (isEnded) tell('Your session has ended: load the page again to log in.', 'lost');
  else if (status >= 400) lost();
}

function heard() {
  isEnded = false;
  heardAt = new Date();
  tell('Live', 'live');
  timer = setTimeout(lost, SILENCE_MS);
}

/** Has no effect on a page that is connected or about to be. A background tab uses none of the browser's few connections. */
function follow() {
  if (!document.hidden) live.dispatchEvent(new Event('follow'));
}

if (live) {
  timer = setTimeout(lost, SILENCE_MS);
  setInterval(follow, RETRY_MS);
  document.addEventListener('htmx:after:process', follow);
  document.addEventListener('visibilitychange', follow);
}
document.addEventListener('htmx:sse:after:message', ({ detail: { message } }) =>
  message.event === 'problem' ? lost(message.data) : heard(),
);
document.addEventListener('htmx:sse:before:connection', ({ detail }) => detail.connection.attempt > 0 && lost());
document.addEventListener('htmx:sse:error', (event) => (event.detail.status ? refused(event) : lost()));
document.addEventListener('htmx:response:error', refused);
document.addEventListener('htmx:error', () => lost());
