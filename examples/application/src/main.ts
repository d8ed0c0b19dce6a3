// Before anything else is loaded: the first process of a container gets no signal that it does not listen for.
let stop = (): void => process.exit(0)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop())

const [{ readEnv }, { startApplication }] = await Promise.all([import('./env.js'), import('./start-application.js')])
const application = await startApplication(readEnv())
stop = () => void application.stop()
