/** A setting, an argument or a file that the user can correct; the message says how and never shows a value of a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
