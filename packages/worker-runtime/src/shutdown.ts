import type { RuntimeLogger } from './logger.js'

/** The part of `process` (or of an EventEmitter in a test) that signals and stray errors come from. */
export interface SignalSource {
  on(event: string, listener: (value: unknown) => void): unknown
  off(event: string, listener: (value: unknown) => void): unknown
}

/** What the runtime needs of its process. Tests pass their own. */
export interface ProcessHost {
  readonly signals: SignalSource
  /** For texts written before there is a logger. */
  printError(text: string): void
  setExitCode(code: number): void
  /** Ends the process at once. */
  exit(code: number): void
  /** What keeps the event loop alive, by kind. */
  activeResources(): string[]
}

/** The real process. Beside this file only `end-at-signals.ts` and the workers' entry files touch it. */
export const processHost: ProcessHost = {
  signals: process,
  printError: (text) => void process.stderr.write(`${text}\n`),
  setExitCode: (code) => {
    process.exitCode = code
  },
  exit: (code) => process.exit(code),
  activeResources: () => process.getActiveResourcesInfo(),
}

export interface StopRequest {
  /** `SIGTERM`, `SIGINT`, or a sentence saying what made the worker stop itself. */
  reason: string
  /** Absent for a stop that somebody asked for. With an error the process ends with 1. */
  error?: unknown
}

export interface Shutdown {
  /** Aborted by the first request. */
  readonly signal: AbortSignal
  /** Resolves with the first request. */
  readonly requested: Promise<StopRequest>
  /** 1 as soon as anything went wrong, also during the stop; 0 otherwise. */
  readonly exitCode: 0 | 1
  /** Milliseconds of the grace period that are left; the whole period before the first request. */
  remainingMs(): number
  /** Asks for a stop from inside. After the first request it only records and logs the error. */
  request(request: StopRequest): void
  /** Takes the listeners off. */
  uninstall(): void
}

export interface ShutdownOptions {
  host: ProcessHost
  logger: RuntimeLogger
  /** How long the work in flight may take to finish, counted from the first request. */
  graceMs: number
}

/**
 * A SIGINT is mostly Ctrl-C: the terminal sends it to the whole process group, and npm and start scripts forward it
 * once more. What follows within this time is the same wish, not a second one.
 */
const sameInterruptMs = 500

/**
 * Listens for SIGTERM, SIGINT, uncaught exceptions and unhandled rejections.
 * The first signal asks for a graceful stop, the second ends the process at once with 1.
 * An uncaught error is logged as fatal and asks for a graceful stop that ends with 1.
 */
export function createShutdown({ host, logger, graceMs }: ShutdownOptions): Shutdown {
  const controller = new AbortController()
  const { promise: requested, resolve } = createDeferred<StopRequest>()
  let exitCode: 0 | 1 = 0
  let deadline: number | undefined
  let firstInterruptAt = Number.NEGATIVE_INFINITY
  let signals = 0

  function request(stop: StopRequest): void {
    if ('error' in stop) {
      exitCode = 1
      logger.fatal({ err: stop.error }, stop.reason)
    }
    if (deadline !== undefined) return
    deadline = Date.now() + graceMs
    logger.info({ reason: stop.reason, graceMs }, 'Stop requested')
    resolve(stop)
    controller.abort(new Error(`The worker is stopping: ${stop.reason}`))
  }

  function onSignal(name: 'SIGTERM' | 'SIGINT'): void {
    if (Date.now() - firstInterruptAt < sameInterruptMs) return
    signals += 1
    if (signals === 1) {
      if (name === 'SIGINT') firstInterruptAt = Date.now()
      request({ reason: name })
      return
    }
    logger.warn({ signal: name }, 'Second signal: the process ends at once, what is in flight will be redelivered')
    host.exit(1)
  }

  const listeners: Record<string, (value: unknown) => void> = {
    SIGTERM: () => onSignal('SIGTERM'),
    SIGINT: () => onSignal('SIGINT'),
    uncaughtException: (error) => request({ reason: 'Uncaught exception', error }),
    unhandledRejection: (error) => request({ reason: 'Unhandled rejection', error }),
  }
  for (const [event, listener] of Object.entries(listeners)) host.signals.on(event, listener)

  return {
    signal: controller.signal,
    requested,
    get exitCode() {
      return exitCode
    },
    remainingMs: () => (deadline === undefined ? graceMs : Math.max(0, deadline - Date.now())),
    request,
    uninstall() {
      for (const [event, listener] of Object.entries(listeners)) host.signals.off(event, listener)
    },
  }
}

/** How long a process whose resources are all released may take to end by itself. */
const lingerMs = 2000

/** Lets the process end by itself with this code; if something keeps it alive, says what and ends it. */
export function endProcess({ host, logger, code }: { host: ProcessHost; logger: RuntimeLogger; code: 0 | 1 }): void {
  host.setExitCode(code)
  const timer = setTimeout(() => {
    logger.warn({ activeResources: host.activeResources() }, 'Something keeps the stopped process alive; ending it')
    host.exit(code)
  }, lingerMs)
  // The timer itself must not be what keeps the process alive.
  timer.unref()
}

function createDeferred<T>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
