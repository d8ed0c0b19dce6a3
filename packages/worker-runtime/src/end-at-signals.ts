/**
 * Ends the process at SIGTERM or SIGINT, unless somebody else listens for the signal: that one decides then. With the
 * exit code that is set, else with `code`.
 *
 * To be called before anything else is loaded. Loading takes half a second, and the first process of a container gets no
 * signal that it does not listen for: it would go on for good. This file must load nothing itself.
 */
export function endAtSignals({ code }: { code: 0 | 1 }): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(process.exitCode ?? code)
    })
  }
}
