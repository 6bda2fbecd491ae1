using System.Collections;
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Millrace.Hosting.Options;

/// <summary>Checks the data annotations of options and of the options within them; names the key of each
/// failure.</summary>
internal sealed class AnnotatedOptions<T>(string section) : IValidateOptions<T>
    where T : class
{
    public ValidateOptionsResult Validate(string? name, T options)
    {
        var failures = new List<string>();
        Look(section, options, failures);
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void Look(string key, object options, List<string> failures)
    {
        var results = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), results, validateAllProperties: true);
        failures.AddRange(results.Select(result => Failure(key, options, result)));
        foreach (var property in options.GetType().GetProperties())
        {
            if (OptionTypes.Nested(property.PropertyType) is null) continue;
            var path = $"{key}:{property.Name}";
            switch (property.GetValue(options))
            {
                case IDictionary named:
                    foreach (DictionaryEntry one in named) Look($"{path}:{one.Key}", one.Value!, failures);
                    break;
                case IEnumerable items:
                    var index = 0;
                    foreach (var item in items) Look($"{path}:{index++}", item, failures);
                    break;
                case { } nested:
                    Look(path, nested, failures);
                    break;
            }
        }
    }

    private static string Failure(string key, object options, ValidationResult result)
    {
        var message = result.ErrorMessage ?? "";
        if (message.StartsWith(key, StringComparison.Ordinal)) return message;
        if (result.MemberNames.FirstOrDefault() is not { } member) return $"{key}: {message}";
        return $"{key}:{member} is '{options.GetType().GetProperty(member)?.GetValue(options)}'. {message}";
    }
}
