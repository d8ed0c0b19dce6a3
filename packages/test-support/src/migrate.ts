import { spawnNode, untilExited } from './child-process.js'
import { findAppEntry } from './workspace.js'

/**
 * Applies an app's migrations as its own process does: `node apps/<app>/dist/migrate.js`.
 * @throws Error with the output if it does not exit with 0
 */
export async function migrate(app: string, databaseUrl: string): Promise<void> {
  const child = spawnNode(findAppEntry(app, 'migrate'), [], { DATABASE_URL: databaseUrl })
  let output = ''
  const collect = (chunk: Buffer) => {
    output += chunk.toString('utf8')
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', collect)
  const { code, signal } = await untilExited(child)
  if (code !== 0) throw new Error(`Migrating ${app} ended with ${signal ?? `exit code ${code}`}:\n${output}`)
}
