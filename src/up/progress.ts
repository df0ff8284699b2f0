/** What happens, as it happens: on a terminal one line that changes, elsewhere a line each. */
export class Progress {
  private shown = '';
  private since = Date.now();
  private timer: NodeJS.Timeout | undefined;
  private isOver = false;

  constructor(private readonly out: NodeJS.WriteStream) {}

  /** What is being done now. */
  readonly step = (text: string): void => {
    if (text === this.shown || this.isOver) return;
    this.clear();
    this.shown = text;
    this.since = Date.now();
    if (!this.out.isTTY) return void this.out.write(`${text} …\n`);
    const draw = () => this.out.write(`\r\x1b[K${text} … ${Math.round((Date.now() - this.since) / 1000)} s`);
    draw();
    this.timer = setInterval(draw, 1000).unref();
  };

  /** Something to keep. */
  readonly line = (text: string): void => {
    this.clear();
    this.out.write(`${text}\n`);
  };

  /** From now on there are lines only: what was being done is given up. */
  over(): void {
    this.clear();
    this.isOver = true;
  }

  private clear(): void {
    clearInterval(this.timer);
    if (this.shown && this.out.isTTY) this.out.write('\r\x1b[K');
    this.shown = '';
  }
}
