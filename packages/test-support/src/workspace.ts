import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

export type AppEntry = 'main' | 'migrate' | 'migrate-queue'

/**
 * The built entry of an app: `main` is the worker, `migrate` its migrations, `migrate-queue` what chat-worker has for its queue.
 * @throws Error if it is not built
 */
export function findAppEntry(app: string, entry: AppEntry): string {
  const path = `${root}apps/${app}/dist/${entry}.js`
  if (!existsSync(path)) throw new Error(`apps/${app}/dist/${entry}.js does not exist. Run \`npm run build\` first.`)
  return path
}

/** The text of a file, by its path from the root of the repository. */
export async function readWorkspaceFile(path: string): Promise<string> {
  return await readFile(`${root}${path}`, 'utf8')
}
