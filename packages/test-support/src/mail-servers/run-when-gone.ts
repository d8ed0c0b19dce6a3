import { spawn } from 'node:child_process'

/**
 * Runs a script of a shell when this process is gone, however it went, unless it is called off before.
 * @returns calls it off
 */
export function runWhenGone(script: string): () => void {
  const watching = `while kill -0 ${process.pid} 2>/dev/null; do sleep 2; done\n${script}`
  const child = spawn('sh', ['-c', watching], { detached: true, stdio: 'ignore' })
  child.unref()
  return () => {
    child.kill('SIGKILL')
  }
}
