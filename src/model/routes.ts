/** The proxy's table: data that the control loop computes and the proxy obeys. */

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

/** The targets that one promoted slot offers. A swap is a new generation in the same route. */
export interface ProxyGeneration {
  readonly id: string;
  readonly targets: readonly ProxyTarget[];
}

export interface ProxyRoute {
  readonly app: string;
  /** Lower case, without port; empty: any host. */
  readonly hosts: readonly string[];
  /** `/` or `/x` without a trailing slash; matched on whole segments, longest first; not stripped. */
  readonly pathPrefix: string;
  /** Null: nothing healthy, answer 503 with Retry-After. */
  readonly generation: ProxyGeneration | null;
}

export interface ProxyListener {
  readonly host: string;
  readonly port: number;
  readonly routes: readonly ProxyRoute[];
}

export interface ProxyTable {
  /** Rises with every table that the daemon sends. */
  readonly version: number;
  readonly listeners: readonly ProxyListener[];
}
