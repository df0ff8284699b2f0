/** What happens, as it happens: on a terminal one line that changes, elsewhere a line each. */
export class Progress {
  private shown = '';
  private since = Date.now();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly out: NodeJS.WriteStream) {}

  /** What is being done now. */
  readonly step = (text: string): void => {
    if (text === this.shown) return;
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

  clear(): void {
    clearInterval(this.timer);
    if (this.shown && this.out.isTTY) this.out.write('\r\x1b[K');
    this.shown = '';
  }
}
