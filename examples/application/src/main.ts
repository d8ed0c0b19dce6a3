import { readEnv } from './env.js'
import { startApplication } from './start-application.js'

const application = await startApplication(readEnv())
const stop = () => void application.stop()
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
