/** Small manifests in the shape of real ones. */

export const headlessService = `apiVersion: v1
kind: Service
metadata:
  name: pg
  namespace: db
spec:
  clusterIP: None   # headless
  publishNotReadyAddresses: true
  selector: {application: patroni, cluster-name: pg}
`;

export const statefulSet = `# The database.
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: pg
  namespace: db
spec:
  serviceName: pg
  replicas: 3
  selector:
    matchLabels: &labels
      application: patroni
      cluster-name: pg
  template:
    metadata:
      labels: *labels
    spec:
      containers:
      - name: patroni
        image: "registry.example/patroni:4.1"   # pinned elsewhere
        env:
        # who we are
        - name: PATRONI_NAME
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        - name: PATRONI_SCOPE
          value: pg
`;

export const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: db}
spec:
  template:
    metadata:   {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
`;

export const patroniPod = `apiVersion: v1
kind: Pod
metadata:
  name: pg-0
  namespace: db
  labels:
    application: patroni
    cluster-name: pg
spec:
  hostname: pg-0
  containers:
    - name: patroni
      env:
        - {name: PATRONI_SCOPE, value: pg}
`;
