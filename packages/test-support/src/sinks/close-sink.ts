import { waitFor } from '../wait-for.js'

/**
 * Closes a sink after a test.
 * @throws Error if a connection to it is still open after `graceMs`; the sink is closed nevertheless
 */
export async function closeSink(
  name: string,
  sink: { connections: number; close(): Promise<void> },
  { graceMs = 2_000 } = {},
): Promise<void> {
  try {
    await waitFor(() => sink.connections === 0, {
      what: 'no connection to be left',
      timeoutMs: graceMs,
      intervalMs: 20,
    })
  } catch (error) {
    throw new Error(
      `${sink.connections} connection(s) to the ${name} are still open after the test. Close the client.`,
      {
        cause: error,
      },
    )
  } finally {
    await sink.close()
  }
}
