import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const compiler = fileURLToPath(new URL('../../../../node_modules/.bin/tsc', import.meta.url))

/**
 * Compiles a directory that is two levels below this package into its `dist`, as strictly as the packages themselves.
 *
 * @returns the compiler's errors; whatever has one is compiled nevertheless
 */
export async function compileProject(directory: string, include: readonly string[]): Promise<string> {
  const compilerOptions = { rootDir: '.', outDir: 'dist', declaration: false, sourceMap: false }
  const config = { extends: '../../../../tsconfig.base.json', compilerOptions, include }
  await writeFile(`${directory}/tsconfig.json`, JSON.stringify(config))
  try {
    await promisify(execFile)(compiler, ['--project', directory])
    return ''
  } catch (error) {
    const { stdout } = error as { stdout?: string }
    return stdout || String(error)
  }
}
