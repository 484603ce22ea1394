{{- define "limner.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "limner.labels" -}}
app.kubernetes.io/name: limner
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
