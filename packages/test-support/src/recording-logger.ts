export interface LoggedLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  /** What was logged, with the bindings of the child that logged it. */
  data: Record<string, unknown>
  message: string
}

/** Fits wherever a logger of this project's shape is asked for: the data first, then a constant sentence. */
export interface RecordingLogger {
  /** The lines of this logger and all its children, in order. */
  lines: LoggedLine[]
  debug(data: object, message: string): void
  info(data: object, message: string): void
  warn(data: object, message: string): void
  error(data: object, message: string): void
  child(bindings: Record<string, unknown>): RecordingLogger
}

export function createRecordingLogger(
  lines: LoggedLine[] = [],
  bindings: Record<string, unknown> = {},
): RecordingLogger {
  const record = (level: LoggedLine['level']) => (data: object, message: string) => {
    lines.push({ level, data: { ...bindings, ...data }, message })
  }
  return {
    lines,
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
    child: (more) => createRecordingLogger(lines, { ...bindings, ...more }),
  }
}
