"""Review inside other help desks: drafts are shown in notes there, and what colleagues remark is carried out here."""
