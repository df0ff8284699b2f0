import { HEX24, HEX24_RULE } from '../../onboard/ids';

/** Attributes of an input for an id. A browser matches the whole text, so the pattern has no `^` and `$`. */
export const HEX_FIELD = { pattern: HEX24.source.slice(1, -1), title: HEX24_RULE };
