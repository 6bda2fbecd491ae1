{{/* The platform's configuration, for every role the same: what the values say, then .Values.config over it. */}}
{{- define "millrace.config" -}}
{{- $name := include "millrace.name" . }}
{{- $nodes := printf "%s-nodes:4053" $name }}
{{- $seeds := list (printf "%s-api-0.%s" $name $nodes) (printf "%s-stream-processor-0.%s" $name $nodes) (printf "%s-archiver-0.%s" $name $nodes) }}
{{- $http := dict "Address" "0.0.0.0" "AllowPlainOnAnyAddress" true }}
{{- $cluster := dict "Seeds" $seeds "Address" "0.0.0.0" "AllowPlainOnAnyAddress" (not .Values.cluster.tls.enabled) }}
{{- if .Values.cluster.tls.enabled }}
{{- $files := "/etc/millrace/cluster-certificate" }}
{{- $_ := set $cluster "Tls" (dict "CertificateFile" (printf "%s/tls.crt" $files) "KeyFile" (printf "%s/tls.key" $files) "CaFile" (printf "%s/ca.crt" $files)) }}
{{- end }}
{{- $gateway := dict
  "Mqtt" (dict "Enabled" false)
  "Mqtts" (dict "Enabled" true "Address" "0.0.0.0" "CertificateFile" "/etc/millrace/certificate/tls.crt" "KeyFile" "/etc/millrace/certificate/tls.key")
  "HubNames" (concat (list "localhost" "millrace" (printf "%s-gateway" $name)) .Values.devices.hosts)
  "Bridges" (include "millrace.bridges" . | fromJsonArray) }}
{{- $config := dict
  "Node" (dict "StopTimeout" "80s")
  "Http" $http "Cluster" $cluster "Gateway" $gateway
  "EventLog" (dict "Kind" "Kafka" "Partitions" (int .Values.partitions) "Kafka" (include "millrace.kafkaConfig" . | fromYaml))
  "Stores" (dict "Kind" "Cassandra" "DeviceKeyFile" "/etc/millrace/keys/device-keys.key" "OtherDeviceKeyFile" "/etc/millrace/keys/device-keys.other.key")
  "Cassandra" (include "millrace.cassandraConfig" . | fromYaml)
  "ObjectStore" (dict "Kind" "S3" "S3" (include "millrace.s3Config" . | fromYaml))
  "Batch" (dict "Kind" (ternary "Spark" "DuckDb" (or .Values.spark.enabled (ne .Values.external.spark.remote ""))))
  "Spark" (include "millrace.sparkConfig" . | fromYaml)
  "ColdPath" (dict "JobsFolder" "/etc/millrace/jobs")
  "Logging" (dict "Format" "json") }}
{{- mergeOverwrite $config (deepCopy .Values.config) | toPrettyJson }}
{{- end }}

{{/*
Every gateway runs every bridge. Where there can be several they share what comes, or each would fetch all of it; one
that says its group itself keeps that.
*/}}
{{- define "millrace.bridges" -}}
{{- $several := or .Values.roles.gateway.autoscaling.enabled (gt (int .Values.roles.gateway.replicas) 1) }}
{{- $bridges := list }}
{{- range $bridge := .Values.bridges }}
{{- if and $several $bridge.Subscriptions (not $bridge.SharedGroup) }}
{{- if hasKey $bridge "SharedGroup" }}
{{- fail (printf "bridge %s: without a SharedGroup each gateway fetches every message; name one, or have roles.gateway.replicas 1" $bridge.Name) }}
{{- end }}
{{- $bridge = merge (dict "SharedGroup" (include "millrace.name" $)) $bridge }}
{{- end }}
{{- $bridges = append $bridges $bridge }}
{{- end }}
{{- toJson $bridges }}
{{- end }}

{{- define "millrace.kafkaConfig" -}}
{{- if .Values.kafka.enabled }}
BootstrapServers: {{ include "millrace.name" . }}-kafka:9092
Topics:
  ReplicationFactor: {{ .Values.kafka.replicas }}
  InSyncReplicasMin: {{ ternary 2 1 (gt (int .Values.kafka.replicas) 1) }}
{{- else }}
{{- with .Values.external.kafka }}
BootstrapServers: {{ required "external.kafka.bootstrapServers is missing, and kafka.enabled is false" .bootstrapServers | quote }}
Prefix: {{ .prefix | quote }}
Topics:
  ReplicationFactor: {{ .replicationFactor }}
  InSyncReplicasMin: {{ .inSyncReplicasMin }}
Security:
  Tls: {{ .tls.enabled }}
  {{- if .tls.caSecret }}
  CaFile: /etc/millrace/kafka-ca/ca.crt
  {{- end }}
  Sasl: {{ .sasl.mechanism }}
  {{- if ne .sasl.mechanism "None" }}
  UserName: {{ .sasl.userName | quote }}
  PasswordFile: /etc/millrace/kafka-login/password
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "millrace.cassandraConfig" -}}
{{- if .Values.cassandra.enabled }}
ContactPoints: {{ include "millrace.name" . }}-cassandra
ReplicationFactor: {{ .Values.cassandra.replicas }}
{{- else }}
{{- with .Values.external.cassandra }}
ContactPoints: {{ required "external.cassandra.contactPoints is missing, and cassandra.enabled is false" .contactPoints | quote }}
Port: {{ .port }}
{{- if .localDatacenter }}
LocalDatacenter: {{ .localDatacenter | quote }}
{{- end }}
Keyspace: {{ .keyspace | quote }}
ReplicationFactor: {{ .replicationFactor }}
Security:
  Tls: {{ .tls.enabled }}
  {{- if .tls.caSecret }}
  CaFile: /etc/millrace/cassandra-ca/ca.crt
  {{- end }}
  {{- if .login.userName }}
  UserName: {{ .login.userName | quote }}
  PasswordFile: /etc/millrace/cassandra-login/password
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "millrace.s3Config" -}}
{{- if .Values.s3.enabled }}
Endpoint: http://{{ include "millrace.name" . }}-s3:7070
Bucket: millrace
CreateBucket: true
Credentials: { Source: Configuration, AccessKey: millrace, SecretKeyFile: /etc/millrace/s3-login/secret-key }
{{- else }}
{{- with .Values.external.s3 }}
Bucket: {{ required "external.s3.bucket is missing, and s3.enabled is false" .bucket | quote }}
Region: {{ .region | quote }}
{{- with .endpoint }}
Endpoint: {{ . | quote }}
{{- end }}
{{- with .prefix }}
Prefix: {{ . | quote }}
{{- end }}
{{- if .caSecret }}
CaFile: /etc/millrace/s3-ca/ca.crt
{{- end }}
{{- if .accessKey }}
Credentials: { Source: Configuration, AccessKey: {{ .accessKey | quote }}, SecretKeyFile: /etc/millrace/s3-login/secret-key }
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "millrace.sparkConfig" -}}
{{- if .Values.spark.enabled }}
Remote: sc://{{ include "millrace.name" . }}-spark:15002
ArchiveRoot: {{ printf "s3a://%s/%s" (ternary "millrace" .Values.external.s3.bucket .Values.s3.enabled) (ternary "" .Values.external.s3.prefix .Values.s3.enabled) | trimSuffix "/" }}
{{- else if .Values.external.spark.remote }}
{{- with .Values.external.spark }}
Remote: {{ .remote | quote }}
ArchiveRoot: {{ required "external.spark.archiveRoot is missing" .archiveRoot | quote }}
{{- if .tokenSecret }}
TokenFile: /etc/millrace/spark-token/token
{{- end }}
{{- if .caSecret }}
CaFile: /etc/millrace/spark-ca/ca.crt
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* How the chart's Spark gets at the archive: what follows spark.hadoop.fs.s3a. */}}
{{- define "millrace.sparkStore" -}}
{{- if .Values.s3.enabled }}
endpoint: http://{{ include "millrace.name" . }}-s3:7070
endpoint.region: us-east-1
path.style.access: true
{{- else }}
{{- with .Values.external.s3 }}
endpoint.region: {{ .region }}
{{- if .endpoint }}
endpoint: {{ .endpoint }}
path.style.access: true
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Secrets that the configuration names files of: name of the volume and of the secret. */}}
{{- define "millrace.fileSecrets" -}}
{{- if .Values.cluster.tls.enabled }}
cluster-certificate: {{ include "millrace.clusterCertificate" . }}
{{- end }}
{{- if not .Values.kafka.enabled }}
{{- with .Values.external.kafka }}
{{- if .tls.caSecret }}
kafka-ca: {{ .tls.caSecret }}
{{- end }}
{{- if ne .sasl.mechanism "None" }}
kafka-login: {{ required "external.kafka.sasl.passwordSecret is missing" .sasl.passwordSecret }}
{{- end }}
{{- end }}
{{- end }}
{{- if not .Values.cassandra.enabled }}
{{- with .Values.external.cassandra }}
{{- if .tls.caSecret }}
cassandra-ca: {{ .tls.caSecret }}
{{- end }}
{{- if .login.userName }}
cassandra-login: {{ required "external.cassandra.login.passwordSecret is missing" .login.passwordSecret }}
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.s3.enabled }}
s3-login: {{ include "millrace.name" . }}-s3
{{- else }}
{{- with .Values.external.s3 }}
{{- if .caSecret }}
s3-ca: {{ .caSecret }}
{{- end }}
{{- if .accessKey }}
s3-login: {{ required "external.s3.secretKeySecret is missing" .secretKeySecret }}
{{- end }}
{{- end }}
{{- end }}
{{- if not .Values.spark.enabled }}
{{- with .Values.external.spark }}
{{- if .tokenSecret }}
spark-token: {{ .tokenSecret }}
{{- end }}
{{- if .caSecret }}
spark-ca: {{ .caSecret }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
