{{- define "patroni-injector.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "patroni-injector.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: webhook
{{- end -}}

{{- define "patroni-injector.labels" -}}
{{ include "patroni-injector.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Those of the audit, which no Service of the webhook may select. */}}
{{- define "patroni-injector.auditLabels" -}}
{{ include "patroni-injector.labels" . | replace "app.kubernetes.io/component: webhook" "app.kubernetes.io/component: audit" }}
{{- end -}}

{{- define "patroni-injector.auditSelectorLabels" -}}
{{ include "patroni-injector.selectorLabels" . | replace "app.kubernetes.io/component: webhook" "app.kubernetes.io/component: audit" }}
{{- end -}}

{{- define "patroni-injector.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "patroni-injector.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "patroni-injector.image" -}}
{{- with .Values.image -}}
{{- if .registry }}{{ .registry }}/{{ end }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end -}}
{{- end -}}

{{/* Sorts before "istio-": webhook configurations are called in the order of their names. */}}
{{- define "patroni-injector.webhookName" -}}
00-{{ include "patroni-injector.fullname" . }}
{{- end -}}

{{- define "patroni-injector.priorityClassName" -}}
{{- if .Values.priorityClass.create -}}
{{- default (include "patroni-injector.fullname" .) .Values.priorityClass.name -}}
{{- else -}}
{{- .Values.priorityClass.name -}}
{{- end -}}
{{- end -}}

{{/* The configuration file: the values, and what only the chart knows. */}}
{{- define "patroni-injector.config" -}}
{{- $service := dict "name" (include "patroni-injector.fullname" .) "namespace" .Release.Namespace "port" 443 -}}
{{- $registration := dict "mode" "caBundle" "name" (include "patroni-injector.webhookName" .) "service" $service -}}
{{- $known := dict "sidecar" (dict "image" (include "patroni-injector.image" .) "imagePullPolicy" .Values.image.pullPolicy) -}}
{{- $webhook := dict "registration" $registration "certificates" (dict "source" .Values.certificates.source) -}}
{{- if .Values.certificates.clientCA -}}
{{- $_ := set $webhook "clientCA" "/etc/patroni-injector-client-ca/ca.crt" -}}
{{- end -}}
{{- $own := dict "webhook" $webhook -}}
{{- toYaml (mustMergeOverwrite $known (deepCopy .Values.config) $own) -}}
{{- end -}}

{{/* What the process binds at its start, so that a change of it needs a restart. */}}
{{- define "patroni-injector.boundConfig" -}}
{{- $config := include "patroni-injector.config" . | fromYaml -}}
{{- $webhook := pick $config.webhook "host" "port" "registration" "certificates" "clientCA" -}}
{{- toJson (dict "webhook" $webhook "operations" $config.operations "controller" $config.controller "watchNamespaces" $config.watchNamespaces) -}}
{{- end -}}

{{/* The pod selectors as {list: […]}: Patroni's, those of the presets last, then the poolers'. Each has its place, after which its entries are named. */}}
{{- define "patroni-injector.selectors" -}}
{{- $presets := dict
  "crunchy" (dict "key" "postgres-operator.crunchydata.com/data" "values" (list "postgres"))
  "stackgres" (dict "key" "stackgres.io/cluster" "values" (list "true")) -}}
{{- $patroni := .Values.config.selectors -}}
{{- range .Values.config.presets -}}
{{- $patroni = append $patroni (get $presets .) -}}
{{- end -}}
{{- $list := list -}}
{{- range $index, $selector := $patroni -}}
{{- $list = append $list (merge (dict "place" (toString $index)) $selector) -}}
{{- end -}}
{{- range $index, $selector := .Values.config.poolers.selectors -}}
{{- $list = append $list (merge (dict "place" (printf "poolers-%d" $index)) $selector) -}}
{{- end -}}
{{- toJson (dict "list" $list) -}}
{{- end -}}

{{/*
What V8 may take of the memory limit: a third of it for what lives long, and little for what does not, for V8 knows nothing of the
memory of buffers, TLS and the program itself. Nothing without a limit.
*/}}
{{- define "patroni-injector.nodeOptions" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources -}}
{{- $text := ternary $limit (printf "%.0f" (float64 $limit)) (kindIs "string" $limit) -}}
{{- $unit := regexFind "[A-Za-z]*$" $text -}}
{{- $mebibytes := dict "" 0.00000095367431640625 "k" 0.00095367431640625 "M" 0.95367431640625 "G" 953.67431640625 "Ki" 0.0009765625 "Mi" 1.0 "Gi" 1024.0 -}}
{{- if and $text (hasKey $mebibytes $unit) -}}
{{- $size := mulf (float64 (trimSuffix $unit $text)) (get $mebibytes $unit) -}}
--max-old-space-size={{ max 64 (int (divf $size 3.0)) }} --max-semi-space-size=8
{{- end -}}
{{- end -}}
