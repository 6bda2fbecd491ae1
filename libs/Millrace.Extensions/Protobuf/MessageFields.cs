using Google.Protobuf.Reflection;

namespace Millrace.Extensions.Protobuf;

/// <summary>What was read of one message: the values of each field, in their order.</summary>
internal sealed class MessageFields(MessageDescriptor descriptor)
{
    private Dictionary<int, List<object>>? _values;

    public MessageDescriptor Descriptor => descriptor;

    public IReadOnlyList<object> Of(FieldDescriptor field) =>
        _values is not null && _values.TryGetValue(field.FieldNumber, out var values) ? values : [];

    public object? Last(FieldDescriptor field) => Of(field) is [.., var last] ? last : null;

    public object? Last(int number) => descriptor.FindFieldByNumber(number) is { } field ? Last(field) : null;

    public void Add(FieldDescriptor field, object value)
    {
        _values ??= [];
        // Of a oneof the last member counts.
        if (field.RealContainingOneof is { } choice)
        {
            foreach (var other in choice.Fields.Where(other => other != field)) _values.Remove(other.FieldNumber);
        }

        if (!_values.TryGetValue(field.FieldNumber, out var values)) _values[field.FieldNumber] = values = [];
        values.Add(value);
    }

    /// <summary>A message that comes in several pieces is one: the fields of the later ones are added.</summary>
    public void Merge(MessageFields later)
    {
        foreach (var (number, values) in later._values ?? [])
        {
            foreach (var value in values) Add(descriptor.FindFieldByNumber(number), value);
        }
    }
}
