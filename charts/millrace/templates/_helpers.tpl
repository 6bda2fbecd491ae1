{{- define "millrace.name" -}}
{{- if contains "millrace" .Release.Name }}{{ .Release.Name }}{{ else }}{{ printf "%s-millrace" .Release.Name }}{{ end }}
{{- end }}

{{- define "millrace.selector" -}}
app.kubernetes.io/name: millrace
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "millrace.labels" -}}
{{ include "millrace.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "millrace.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "millrace.secret" -}}
{{ .Values.secretName | default (printf "%s-secrets" (include "millrace.name" .)) }}
{{- end }}

{{- define "millrace.clusterCertificate" -}}
{{ .Values.cluster.tls.secretName | default (printf "%s-cluster" (include "millrace.name" .)) }}
{{- end }}

{{- define "millrace.certificate" -}}
{{ .Values.certificate.secretName | default (printf "%s-certificate" (include "millrace.name" .)) }}
{{- end }}

{{/* The restricted Pod Security standard; the argument is the user's id. */}}
{{- define "millrace.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ . }}
  runAsGroup: {{ . }}
  fsGroup: {{ . }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "millrace.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ ALL ] }
{{- end }}

{{- define "millrace.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Pods of one kind on different nodes and in different zones, where there are several. */}}
{{- define "millrace.spread" -}}
topologySpreadConstraints:
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "millrace.selector" $.root | nindent 8 }}
        app.kubernetes.io/component: {{ $.component }}
{{- end }}
{{- end }}

{{/* A secret that is made before pods need it, and is part of no release: name, type, data, stamp. */}}
{{- define "millrace.madeSecret" }}
---
apiVersion: v1
kind: Secret
type: {{ .type }}
metadata:
  name: {{ .name }}
  labels: {{- include "millrace.labels" .root | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation
    {{- with .stamp }}
    millrace/stamp: {{ . | quote }}
    {{- end }}
data: {{- toYaml .data | nindent 2 }}
{{- end }}

{{/* Takes it away with the release, when data are not kept: an empty one is laid over it, and goes. */}}
{{- define "millrace.goneSecret" }}
{{- if not .root.Values.keepData }}
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ .name }}
  labels: {{- include "millrace.labels" .root | nindent 4 }}
  annotations:
    helm.sh/hook: post-delete
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
{{- end }}

{{- define "millrace.claimPolicy" -}}
persistentVolumeClaimRetentionPolicy:
  whenDeleted: {{ ternary "Retain" "Delete" .Values.keepData }}
  whenScaled: Retain
{{- end }}

{{/* The rooms of the platform: key of .Values.roles, name, roles that its processes have. */}}
{{- define "millrace.roles" -}}
- { key: gateway, name: gateway, roles: gateway }
- { key: streamProcessor, name: stream-processor, roles: stream-processor }
- { key: archiver, name: archiver, roles: archiver }
- { key: api, name: api, roles: "api,registry,cold-path" }
{{- end }}

{{/* How many pods a role has: with autoscaling as many as it has now, so that an upgrade changes nothing. */}}
{{- define "millrace.replicas" -}}
{{- $auto := .values.autoscaling }}
{{- if $auto.enabled }}
{{- if gt (int $auto.min) (int $auto.max) }}{{ fail (printf "autoscaling of %s: min is more than max" .name) }}{{ end }}
{{- $live := dig "spec" "replicas" (int .values.replicas) (lookup "apps/v1" "StatefulSet" .root.Release.Namespace .name | default dict) }}
{{- max (int $auto.min) (min (int $auto.max) (int $live)) }}
{{- else }}
{{- .values.replicas }}
{{- end }}
{{- end }}
