/** Shows what is being done: on a terminal in one line that changes, elsewhere in a line for each step. */
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

  /** A line that stays. */
  readonly line = (text: string): void => {
    this.clear();
    this.out.write(`${text}\n`);
  };

  /** Ends the steps: from now on only lines are shown. */
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
