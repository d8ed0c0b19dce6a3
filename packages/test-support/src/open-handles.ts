import { createHook } from 'node:async_hooks'
import { waitFor } from './wait-for.js'

export interface HandleWatch {
  /**
   * Ends the watch.
   * @throws Error that says where each was opened, if timers or TCP sockets opened since the start still keep the
   * process alive after `graceMs`
   */
  assertAllClosed(options?: { graceMs?: number }): Promise<void>
}

const watchedKinds: Record<string, string> = {
  Timeout: 'timer',
  TCPWRAP: 'TCP socket',
  TCPSERVERWRAP: 'TCP server',
}

interface Handle {
  kind: string
  openedAt: string
  /** And keeps the process alive: what is unref'd does no harm. */
  isOpen(): boolean
}

/**
 * Watches timers and TCP sockets that are opened from now on. Comparing the counts of
 * `process.getActiveResourcesInfo()` would not do: vitest's own time limit of the test is active before and gone
 * after, and would make room for one leak. So each is known by itself, with the place that opened it.
 */
export function watchHandles(): HandleWatch {
  const handles = new Map<number, Handle>()
  const hook = createHook({
    init(asyncId, type, _triggerId, resource) {
      const kind = watchedKinds[type]
      if (!kind) return
      const openedAt = callerOutsideNode()
      if (isOfTestRunner(openedAt)) return
      handles.set(asyncId, { kind, openedAt, isOpen: () => keepsProcessAlive(resource) })
    },
    destroy(asyncId) {
      handles.delete(asyncId)
    },
  }).enable()

  return {
    async assertAllClosed({ graceMs = 2_000 } = {}) {
      const findOpen = () => [...handles.values()].filter((handle) => handle.isOpen())
      try {
        await waitFor(() => findOpen().length === 0, {
          what: 'handles to be closed',
          timeoutMs: graceMs,
          intervalMs: 20,
        })
      } catch (error) {
        const open = findOpen().map(({ kind, openedAt }) => `${kind} opened at ${openedAt}`)
        throw new Error(
          `${open.length} handle(s) still open after the test, and they keep the process alive:\n- ${open.join('\n- ')}\n` +
            'Close what the test opened, or hand it to the `cleanUp` fixture.',
          { cause: error },
        )
      } finally {
        hook.disable()
      }
    },
  }
}

/** Node tells of a destroyed timer a turn later than it marks it; a closed socket has no ref. */
function keepsProcessAlive(resource: object): boolean {
  const handle = resource as { hasRef?: () => boolean; _destroyed?: boolean }
  return handle._destroyed !== true && handle.hasRef?.() !== false
}

/** The first frame of the stack that is neither Node's own nor this file's. */
function callerOutsideNode(): string {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 30
  const { stack = '' } = new Error()
  Error.stackTraceLimit = stackTraceLimit
  const frames = stack.split('\n').slice(3)
  const caller = frames.find((frame) => !frame.includes('node:') && !frame.includes('(native)'))
  return (caller ?? frames[0] ?? 'unknown').trim().replace(/^at /, '')
}

function isOfTestRunner(frame: string): boolean {
  return /[\\/]node_modules[\\/](@?vitest|vite|vite-node|tinypool|birpc)[\\/]/.test(frame)
}
