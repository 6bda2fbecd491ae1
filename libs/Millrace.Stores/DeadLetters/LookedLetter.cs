namespace Millrace.Stores.DeadLetters;

/// <summary>A place in the list of letters that was looked at.</summary>
/// <param name="At">When it failed last, in the store's own unit.</param>
/// <param name="Letter">Null when it does not fit: then it need not be read at all.</param>
internal sealed record LookedLetter(long At, string Id, StoredDeadLetter? Letter)
{
    public static FilteredPage<LookedLetter> Page(DeadLetterFilter filter) =>
        new(looked => looked.Letter is not null, filter.Limit, filter.LookedAtMax);

    public static Page<StoredDeadLetter> Letters(Page<LookedLetter> page) =>
        new([.. page.Items.Select(looked => looked.Letter!)], page.Continuation);
}
