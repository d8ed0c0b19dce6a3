import type { RuntimeLogger } from './logger.js'
import type { ProcessHost } from './shutdown.js'

export interface EndWhenToldOptions {
  host: ProcessHost
  logger: RuntimeLogger
  /** As the end of the sentence that is logged. */
  consequence: string
}

/** Ends the process at once with 1 at SIGTERM and SIGINT. @returns a function that ends that */
export function endWhenTold({ host, logger, consequence }: EndWhenToldOptions): () => void {
  const listeners = (['SIGTERM', 'SIGINT'] as const).map((signal) => {
    const listener = () => {
      logger.warn({ signal }, `Told to stop: ${consequence}`)
      host.exit(1)
    }
    host.signals.on(signal, listener)
    return () => host.signals.off(signal, listener)
  })
  return () => {
    for (const remove of listeners) remove()
  }
}
