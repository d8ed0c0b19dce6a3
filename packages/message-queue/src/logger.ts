/** The part of a pino logger that this package uses: the data first, then a constant sentence. */
export interface Logger {
  debug(data: object, message: string): void
  info(data: object, message: string): void
  warn(data: object, message: string): void
  error(data: object, message: string): void
  child(bindings: Record<string, unknown>): Logger
}

/** The default: a library does not write where nobody asked it to. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
}
