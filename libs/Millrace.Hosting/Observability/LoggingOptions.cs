using System.ComponentModel.DataAnnotations;
using Serilog.Events;

namespace Millrace.Hosting.Observability;

/// <summary>What goes to standard error. Section "Logging".</summary>
public sealed class LoggingOptions
{
    /// <summary>The least level of the platform's own messages.</summary>
    public LogEventLevel Level { get; set; } = LogEventLevel.Information;

    /// <summary><c>text</c>, or <c>json</c> for one object a line.</summary>
    [AllowedValues("text", "json", ErrorMessage = "The formats are text and json.")]
    public string Format { get; set; } = "text";
}
