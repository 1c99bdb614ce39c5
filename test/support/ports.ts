export { freePort, isPortFree } from '../../runtime/ports.js';
