{{- define "blue-origin.name" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The labels of everything: (list $ "component"). */}}
{{- define "blue-origin.labels" -}}
{{- $root := index . 0 -}}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
{{ include "blue-origin.selector" . }}
{{- end -}}

{{/* By which pods are found. */}}
{{- define "blue-origin.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: blue-origin
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* The image of a program: (list $ "edge"). */}}
{{- define "blue-origin.image" -}}
{{- $root := index . 0 -}}
{{- $image := $root.Values.image -}}
{{- printf "%s/%s:%s" $image.repository (index . 1) ($image.tag | default $root.Chart.AppVersion) -}}
{{- end -}}

{{/* The Secret with the URL of the log. */}}
{{- define "blue-origin.log-secret" -}}
{{- .Values.log.existingSecret | default (printf "%s-log" (include "blue-origin.name" .)) -}}
{{- end -}}

{{- define "blue-origin.admin-secret" -}}
{{- .Values.admin.existingSecret | default (printf "%s-admin" (include "blue-origin.name" .)) -}}
{{- end -}}

{{- define "blue-origin.zones" -}}
{{- printf "%s-zones" (include "blue-origin.name" .) -}}
{{- end -}}

{{- define "blue-origin.redis" -}}
{{- printf "%s-redis" (include "blue-origin.name" .) -}}
{{- end -}}

{{/* Annotations of what the pods of pools need: as long as the pools stay, so does that. */}}
{{- define "blue-origin.kept" -}}
{{- if and .Values.crds.install .Values.crds.keep -}}
annotations:
  helm.sh/resource-policy: keep
{{- end -}}
{{- end -}}
