import Module from 'node:module'

// Loaded into a process before its own code: SIGTERM comes with the first library that the process loads.

const extensions = (Module as unknown as { _extensions: Record<string, (module: unknown, file: string) => void> })
  ._extensions
const load = extensions['.js']
extensions['.js'] = (module, file) => {
  if (load) extensions['.js'] = load
  process.kill(process.pid, 'SIGTERM')
  load?.(module, file)
}
