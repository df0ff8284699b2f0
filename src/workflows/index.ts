export { onboardBuyer } from './onboard-buyer';
