using Microsoft.Extensions.Options;
using Millrace.Extensions;
using Millrace.ObjectStore;

namespace Millrace.StreamProcessor.References;

/// <summary>Whether the keys of reference data are keys of an object store.</summary>
internal sealed class ReferenceOptionsValidator : IValidateOptions<QueryExtensionOptions>
{
    public ValidateOptionsResult Validate(string? name, QueryExtensionOptions options)
    {
        var wrong = options.References
            .Where(one => one.Value.Objects is { } key && !ObjectKey.IsValid(key.EndsWith('/') ? key[..^1] : key))
            .Select(one => $"Queries:Extensions:References:{one.Key}:Objects is '{one.Value.Objects}'. " +
                $"{ObjectStoreErrors.KeyInvalid.Why}").ToList();
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }
}
