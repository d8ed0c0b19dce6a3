import { createLogger, type RuntimeLogger } from '../../src/logger.js'

export interface LogRecord {
  level: string
  msg: string
  [field: string]: unknown
}

export interface RecordedLogs {
  logger: RuntimeLogger
  records: LogRecord[]
  /** What was written, as it would be on standard output. */
  text(): string
  find(msg: string): LogRecord | undefined
  count(msg: string): number
}

/** The real logger, writing into memory. */
export function recordLogs(): RecordedLogs {
  const lines: string[] = []
  const records: LogRecord[] = []
  const destination = {
    write(line: string) {
      lines.push(line)
      records.push(JSON.parse(line))
    },
  }
  return {
    logger: createLogger({ name: 'test-worker', level: 'debug', destination }),
    records,
    text: () => lines.join(''),
    find: (msg) => records.find((record) => record.msg === msg),
    count: (msg) => records.filter((record) => record.msg === msg).length,
  }
}
