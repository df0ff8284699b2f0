// Says so when the page does not follow what happens any more. htmx connects, and connects again.
const SILENCE_MS = 15_000;
const note = document.getElementById('connection');
let timer;

function lost() {
  clearTimeout(timer);
  const since = note.dataset.heard ?? new Date().toLocaleTimeString();
  note.textContent = `The connection is lost. What you see is from ${since}; trying again …`;
  note.className = 'lost';
}

function heard() {
  clearTimeout(timer);
  timer = setTimeout(lost, SILENCE_MS);
  note.dataset.heard = new Date().toLocaleTimeString();
  note.textContent = 'Live';
  note.className = 'live';
}

document.addEventListener('htmx:sse:after:connection', heard);
document.addEventListener('htmx:sse:after:message', heard);
document.addEventListener('htmx:sse:before:connection', ({ detail }) => detail.connection.attempt > 0 && lost());
document.addEventListener('htmx:sse:error', lost);
