using System.ComponentModel;
using System.Globalization;
using Millrace.Primitives;

namespace Millrace.Hosting.Options;

/// <summary>Lets configuration bind a duration from <c>5s</c>, <c>10m</c>, <c>7d</c>, or <c>00:00:05</c>.</summary>
internal sealed class DurationConverter : TimeSpanConverter
{
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
        value is string text && DurationText.TryParse(text.Trim(), out var duration)
            ? duration
            : base.ConvertFrom(context, culture, value);
}
