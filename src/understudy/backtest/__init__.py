"""What could have been answered alone, from a file of judged history alone; it opens no store and changes no autonomy.

`histories` reads the file in whichever form, `replies` reduces each judged draft to numbers, `answer` sets the earlier
part aside, learns on it and asks `certificates` about the rest.
"""
