import { execFile } from 'node:child_process'

export interface RunOptions {
  /** Milliseconds after which it is killed. Default 60000. */
  timeoutMs?: number
  /** For its standard input. Default: none. */
  input?: string | Buffer
}

/**
 * Runs a command to its end.
 * @returns its standard output
 * @throws Error with the end of what it said, if it does not succeed
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  { timeoutMs = 60_000, input }: RunOptions = {},
): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const options = { encoding: 'buffer', maxBuffer: 256 << 20, timeout: timeoutMs, killSignal: 'SIGKILL' } as const
    execFile(command, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      const said = Buffer.concat([stdout.subarray(-2_000), stderr.subarray(-2_000)])
        .toString()
        .trim()
      reject(new Error(`${command} ${args[0]} failed: ${said || error.message}`, { cause: error }))
    }).stdin?.end(input)
  })
}
