import { HEX24, HEX24_RULE } from '../../onboard/ids';

/** Of an input for an id: a browser wants the whole text to fit, and no signs around the pattern. */
export const HEX_FIELD = { pattern: HEX24.source.slice(1, -1), title: HEX24_RULE };
