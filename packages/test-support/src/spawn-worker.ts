import { type Exit, type SpawnNodeOptions, spawnNode, untilExited } from './child-process.js'
import { findFreePort } from './find-free-port.js'
import { sumSamples } from './sum-samples.js'
import { waitFor } from './wait-for.js'
import { type AppEntry, findAppEntry } from './workspace.js'

export type LogRecord = Record<string, unknown> & { level?: string; msg?: string }

export interface WorkerProcess {
  pid: number
  /** Where its `/livez`, `/readyz` and `/metrics` are, without a trailing slash. */
  httpUrl: string
  /** The log so far: every line of standard output that is a JSON object, unless `onLine` or `files` take them. */
  logs: LogRecord[]
  /** Lines of standard output that are not. */
  strayOutput: string[]
  readonly stderr: string
  exited: Promise<Exit>
  readonly running: boolean
  /** The signals that the test has sent, in order. */
  signals: readonly NodeJS.Signals[]
  /**
   * Resolves when `/readyz` says 200.
   * @throws Error with the end of the log if the process exits before, or the time (default 30 s) is up
   */
  ready(options?: { timeoutMs?: number }): Promise<void>
  /** Asks `/metrics` for the sum of a metric's samples that have these labels. */
  metric(name: string, labels?: Record<string, string>): Promise<number>
  /** Sends the signal, and does not wait for its effect: await `exited`. */
  kill(signal: NodeJS.Signals): void
  /**
   * Sends SIGTERM and waits for the exit.
   * @throws Error with the end of the log if it is still running after the time (default 35 s)
   */
  terminate(options?: { timeoutMs?: number }): Promise<Exit>
}

export interface SpawnWorkerOptions extends SpawnNodeOptions {
  /** What of the app is started. Default `main`. */
  entry?: AppEntry | undefined
  /** Takes each line of both outputs, in place of keeping it. */
  onLine?: ((line: string) => void) | undefined
}

/**
 * Starts `node apps/<name>/dist/main.js` as a process of its own, on a free HTTP port unless `env` has an HTTP_PORT; 0 is
 * one of the worker's choice, which nobody is told. Whoever calls this must see to its end; the `workers` fixture does.
 * @throws Error if the app is not built
 */
export function spawnWorker(
  name: string,
  env: Record<string, string | undefined>,
  { entry = 'main', ...options }: SpawnWorkerOptions = {},
): WorkerProcess {
  return startWorkerProcess(name, findAppEntry(name, entry), env, options)
}

/** As `spawnWorker`, for any script. */
export function startWorkerProcess(
  name: string,
  script: string,
  env: Record<string, string | undefined>,
  { onLine, ...options }: Omit<SpawnWorkerOptions, 'entry'> = {},
): WorkerProcess {
  const httpPort = env.HTTP_PORT ? Number(env.HTTP_PORT) : findFreePort()
  const child = spawnNode(script, [], { ...env, HTTP_PORT: String(httpPort) }, options)
  if (!child.pid) throw new Error(`${name} could not be started: is ${process.execPath} executable?`)

  const logs: LogRecord[] = []
  const strayOutput: string[] = []
  const signals: NodeJS.Signals[] = []
  let stderr = ''
  child.stdout?.on('data', splitLines(onLine ?? ((line) => sortLine(line, logs, strayOutput))))
  const keepError = (chunk: Buffer) => {
    stderr += chunk.toString('utf8')
  }
  child.stderr?.on('data', onLine ? splitLines(onLine) : keepError)
  let exit: Exit | undefined
  const exited = untilExited(child).then((result) => {
    exit = result
    return result
  })
  const httpUrl = `http://127.0.0.1:${httpPort}`

  const describe = () =>
    `${name} (pid ${child.pid}, ${exit ? `ended with ${exit.signal ?? `exit code ${exit.code}`}` : 'running'})\n` +
    `${[...logs.slice(-20).map((record) => JSON.stringify(record)), ...strayOutput.slice(-20), stderr.slice(-4000)].join('\n')}`

  const kill = (signal: NodeJS.Signals) => {
    signals.push(signal)
    child.kill(signal)
  }

  return {
    pid: child.pid,
    httpUrl,
    logs,
    strayOutput,
    get stderr() {
      return stderr
    },
    exited,
    get running() {
      return exit === undefined
    },
    signals,
    kill,
    async ready({ timeoutMs = 30_000 } = {}) {
      const isReady = async () => (await fetch(`${httpUrl}/readyz`)).status === 200
      await waitFor(async () => exit !== undefined || (await isReady()), {
        what: `${name} to be ready`,
        timeoutMs,
      }).catch((error: unknown) => {
        throw new Error(`Not ready within ${timeoutMs} ms: ${describe()}`, { cause: error })
      })
      if (exit) throw new Error(`Exited before it was ready: ${describe()}`)
    },
    async metric(metricName, labels) {
      return sumSamples(await (await fetch(`${httpUrl}/metrics`)).text(), metricName, labels)
    },
    async terminate({ timeoutMs = 35_000 } = {}) {
      kill('SIGTERM')
      await waitFor(() => exit !== undefined, { what: `${name} to end`, timeoutMs }).catch((error: unknown) => {
        throw new Error(`Still running ${timeoutMs} ms after SIGTERM: ${describe()}`, { cause: error })
      })
      return await exited
    },
  }
}

function splitLines(take: (line: string) => void): (chunk: Buffer) => void {
  const decoder = new TextDecoder()
  let rest = ''
  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line) take(line)
  }
}

function sortLine(line: string, logs: LogRecord[], strayOutput: string[]): void {
  try {
    const record: unknown = JSON.parse(line)
    if (typeof record === 'object' && record) {
      logs.push(record as LogRecord)
      return
    }
  } catch {
    // Not a log record: kept as it is.
  }
  strayOutput.push(line)
}
