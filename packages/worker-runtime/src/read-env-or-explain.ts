import { EnvError } from './env-error.js'
import type { ProcessHost } from './shutdown.js'

/** Reads the environment; if it has faults, prints them as one list and sets the exit code 1. There is no logger yet. */
export function readEnvOrExplain<E>(readEnv: () => E, host: ProcessHost): E | undefined {
  try {
    return readEnv()
  } catch (error) {
    if (!(error instanceof EnvError)) throw error
    host.printError(error.message)
    host.setExitCode(1)
    return undefined
  }
}
