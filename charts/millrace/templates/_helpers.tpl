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

{{/* What is kept when the release goes. */}}
{{- define "millrace.keep" -}}
{{- if .Values.keepData }}
helm.sh/resource-policy: keep
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
